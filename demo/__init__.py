"""An approval system that speaks HTTP and the command line only: the main job from end to end."""
