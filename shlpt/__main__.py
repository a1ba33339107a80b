from shlpt.cli.main import main

main()
