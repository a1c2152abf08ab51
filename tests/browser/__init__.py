"""Pages, as a person sees them in Chromium."""
