module davit.dev/test/behave

go 1.24
