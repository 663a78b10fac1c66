module davit.local/answer

go 1.26
