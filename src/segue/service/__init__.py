"""Commands and views: the one way into a running Segue, for the command line and for the doors."""
