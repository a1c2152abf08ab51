"""The dashboard's custom widget."""
