"""The way to and from the municipalities: CMS envelopes and SFTP. Nothing else opens a connection."""
