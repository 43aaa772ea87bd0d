"""What an evidence package ships as it is: the script that judges it and the description of its format."""
