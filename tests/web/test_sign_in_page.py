"""The pages where a token is asked for."""
