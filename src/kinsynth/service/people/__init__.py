"""People: accounts, passwords, sessions, tokens, the first start, sharing and sign-in elsewhere."""
