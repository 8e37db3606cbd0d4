"""One file per page: its data, and how it is found."""
