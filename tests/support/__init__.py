"""What the tests share: stacks, builders, accounts and doubles."""
