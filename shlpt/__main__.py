from shlpt.cli import main

main()
