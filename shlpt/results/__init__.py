"""Results of runs and experiments as records and frames: the only way to read them from the store."""
