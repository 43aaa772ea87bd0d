"""The console: pages for people who have an account, each behind their session and their roles."""
