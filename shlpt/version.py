"""The version, which every stage records."""

VERSION = "0.1.0"
