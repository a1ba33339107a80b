"""Figures, one a file: `numbers` prepares the data, `figure` draws them, `alt` describes them in a sentence."""
