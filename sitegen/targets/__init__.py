"""Where a built site is published: a folder, a server by rsync, or a bucket that speaks S3."""
