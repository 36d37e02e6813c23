"""How everything stands (一覧): gathered once, and shown by `juki status`, by the morning page and to a scraper."""
