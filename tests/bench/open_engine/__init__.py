"""Plaza's engine with the wall taken out, to see what the wall costs."""
