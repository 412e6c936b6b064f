"""How letters leave: each carrier takes one at a time and says what became of it."""
