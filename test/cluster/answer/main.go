// A minimal server: answers with its version, and whether it can resolve the cluster's names.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
)

func main() {
	fmt.Println("answering")
	http.HandleFunc("/", func(answer http.ResponseWriter, _ *http.Request) {
		_, err := net.LookupHost("kubernetes.default.svc.cluster.local")
		fmt.Fprintf(answer, "version %s, names known: %t", os.Getenv("VERSION"), err == nil)
	})
	if err := http.ListenAndServe(":8080", nil); err != nil {
		os.Exit(1)
	}
}
