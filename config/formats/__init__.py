"""One way to write days and moments on every page, the console's too."""
