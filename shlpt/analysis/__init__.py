"""Pure functions that compute numbers from results, with numpy, pandas and scipy. No torch, no store."""
