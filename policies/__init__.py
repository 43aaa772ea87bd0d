"""What is allowed: pure rules over plain facts. No files, no clock, no session."""
