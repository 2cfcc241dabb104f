"""Writes of posts: `posts`, `likes`, `comments`."""
