"""The tools that build, execute and check the book."""
