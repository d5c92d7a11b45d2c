"""The evidence pictures: known by their content, encrypted, in a folder or in a bucket."""
