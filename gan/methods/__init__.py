"""Translation methods: each is a few networks and a description of its losses."""
