"""Numbers from results: pure functions on numpy, pandas and scipy. No torch, no store."""
