def test_x() -> None:
    import shlpt
