module davit.local/cluster

go 1.26
