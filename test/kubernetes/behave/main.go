// A model server that behaves as BEHAVIOUR says, well or badly.
package main

import (
	"fmt"
	"net/http"
	"os"
	"time"
)

func main() {
	behaviour := os.Getenv("BEHAVIOUR")
	fmt.Println("behaving as", behaviour)
	switch behaviour {
	case "crash":
		fmt.Println("Traceback (most recent call last):")
		fmt.Println("ModuleNotFoundError: No module named 'sklearn'")
		os.Exit(3)
	case "report":
		fmt.Println(`{"event": "failed", "stage": "load", "message": "only printed"}`)
		report(`{"event": "failed", "stage": "load", "message": "No module named 'sklearn'", "trace": "File \"model.py\", line 3"}`)
		os.Exit(1)
	case "memory":
		hoard()
	case "slow":
		time.Sleep(8 * time.Second)
	}
	http.HandleFunc("/ping", func(answer http.ResponseWriter, _ *http.Request) {
		if behaviour == "unready" {
			answer.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("/live", func(answer http.ResponseWriter, _ *http.Request) {
		if behaviour == "dead" {
			answer.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("/invocations", func(answer http.ResponseWriter, request *http.Request) {
		if behaviour == "wrong" {
			answer.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(answer, `{"error_code": "INTERNAL_ERROR", "message": "ValueError: could not convert string to float"}`)
			return
		}
		fmt.Fprintf(answer, `{"example": %q}`, request.Header.Get("x-davit-example"))
	})
	if err := http.ListenAndServe(":8080", nil); err != nil {
		os.Exit(1)
	}
}

// Writes the cause of the failure to the file that Kubernetes reads.
func report(failure string) {
	if err := os.WriteFile("/dev/termination-log", []byte(failure+"\n"), 0o666); err != nil {
		fmt.Println(err)
	}
}

// Allocates memory until the kernel kills the process.
func hoard() {
	var taken [][]byte
	for {
		block := make([]byte, 1<<24)
		for i := range block {
			block[i] = 1
		}
		taken = append(taken, block)
		time.Sleep(10 * time.Millisecond)
	}
}
