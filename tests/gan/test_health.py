from gan.health import DiscriminatorHealth


def reports(health: DiscriminatorHealth, *accuracies: float) -> list[str]:
    warnings: list[str] = []
    for accuracy in accuracies:
        warnings = health.update({"accuracy_b": accuracy, "cycle_a": 0.2})
    return warnings


def test_says_which_discriminator_has_collapsed_and_what_to_do() -> None:
    (warning,) = reports(DiscriminatorHealth(), *[0.995] * 5)
    assert "domain b has collapsed" in warning
    assert "background 'generate'" in warning


def test_a_discriminator_that_wins_now_and_then_is_healthy() -> None:
    assert reports(DiscriminatorHealth(), 0.99, 0.99, 0.7, 0.99, 0.99) == []
    assert reports(DiscriminatorHealth(), 0.99, 0.99, 0.99, 0.99) == []


def test_continues_after_a_resume() -> None:
    before, after = DiscriminatorHealth(), DiscriminatorHealth()
    reports(before, 1.0, 1.0, 1.0, 1.0)
    after.load_state_dict(before.state_dict())
    assert reports(after, 1.0)
