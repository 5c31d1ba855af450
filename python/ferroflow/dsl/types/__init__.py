"""Types of what components take and give."""
