"""Everything that talks: cascades and their parts, end-to-end models, controls."""
