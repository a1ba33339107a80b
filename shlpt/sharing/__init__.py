"""What leaves this installation and what comes from others: documents, PEFT adapters, bundles."""
