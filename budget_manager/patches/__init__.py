"""Changes of installed packages, one module a package: what is wrong there, and the upstream issue if there is one."""
