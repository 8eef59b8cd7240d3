"""Where a dataset lies: a folder, or a prefix of an object store; both keep the same promises."""
