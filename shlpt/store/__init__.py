"""One SQLite file and a folder of tensors: schema, transactions, locks, which workers are alive. No torch."""
