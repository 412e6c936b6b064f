"""A campaign's letters: written, addressed, and handed to the carrier once for each recipient."""
