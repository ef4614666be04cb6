"""Which pattern fits: what each one is for, answers to five questions, and what a definition shows."""
