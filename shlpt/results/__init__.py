"""What runs and experiments came to, as records and frames: the only way anyone reads the store."""
