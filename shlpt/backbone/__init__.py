"""The frozen model: its files, loading, forward passes, decoding, and how the embedded one was made."""
