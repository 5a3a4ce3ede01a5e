"""The catalogue as the service knows it: the compiled course files, with integer ids that outlive renames."""
