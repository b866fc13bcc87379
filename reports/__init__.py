"""Everything that shows: tables, figures and the page."""
