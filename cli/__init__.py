"""The command yinxin."""
