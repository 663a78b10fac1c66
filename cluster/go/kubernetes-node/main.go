// The first process of the node. It waits for a file that lists the components, starts each one when what it needs
// answers, starts it again when it ends, and reaps every process that nobody else waits for. Called as `pause` it only
// waits to be ended: the process that holds a pod's namespaces.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	poll           = 50 * time.Millisecond
	patience       = time.Minute
	restartAfter   = time.Second
	machineNetwork = 3 // the number of the open file
)

var onMachine = []string{"/usr/bin/nsenter", "--net=/proc/self/fd/3", "--"}

type component struct {
	Name    string
	Command []string
	// After is where something must answer first: `tcp:HOST:PORT` or `unix:PATH`.
	After string
	Log   string
	// OnMachine runs it in the machine's network, which this process got as an open file.
	OnMachine bool
}

type node struct {
	sync.Mutex
	running map[int]component
}

func main() {
	if filepath.Base(os.Args[0]) == "pause" {
		pause()
	}
	if os.Getpid() != 1 { // anywhere else it would mount over the machine's own files
		fail("Cannot start the node: expected to be the first process of its own namespaces; davit cluster up starts it")
	}
	if len(os.Args) != 2 {
		fail("Cannot start the node: expected the file that lists its components")
	}
	keepFilesInside(filepath.Dir(os.Args[1]))
	n := &node{running: map[int]component{}}
	for _, c := range waitForComponents(os.Args[1]) {
		go n.start(c)
	}
	n.reap()
}

// What components write outside of the node's folder (sockets, links to logs, network names) goes to memory, over the
// machine's files: it is gone with the node. The namespace of mounts is our own.
func keepFilesInside(folder string) {
	const memory, itself = "/run/davit", "/run/davit/folder"
	mount("tmpfs", "/run", "tmpfs", 0, "mode=0755")
	makeFolder(itself)
	mount(folder, itself, "", syscall.MS_BIND, "")
	for _, top := range []string{"etc", "opt", "usr", "var"} {
		upper, work := filepath.Join(memory, top, "upper"), filepath.Join(memory, top, "work")
		makeFolder(upper)
		makeFolder(work)
		layers := fmt.Sprintf("lowerdir=/%s,upperdir=%s,workdir=%s", top, upper, work)
		mount("overlay", "/"+top, "overlay", 0, layers)
	}
	mount(itself, folder, "", syscall.MS_BIND, "")
	// Volumes that the kubelet mounts must be seen by containers.
	mount("", "/", "", syscall.MS_SHARED|syscall.MS_REC, "")
}

func mount(source, target, kind string, flags uintptr, options string) {
	if err := syscall.Mount(source, target, kind, flags, options); err != nil {
		fail("Cannot mount " + target + " for the node: " + err.Error())
	}
}

func makeFolder(path string) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		fail(err.Error())
	}
}

func pause() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	<-ended
	os.Exit(0)
}

func waitForComponents(file string) (components []component) {
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(poll) {
		if text, err := os.ReadFile(file); err == nil {
			if err := json.Unmarshal(text, &components); err != nil {
				fail("Cannot read " + file + ": " + err.Error())
			}
			return components
		}
	}
	fail("Cannot start the node: its list of components did not arrive within a minute")
	return nil
}

func (n *node) start(c component) {
	for !answers(c.After) {
		time.Sleep(poll)
	}
	log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		fail("Cannot open the log of " + c.Name + ": " + err.Error())
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		fail(err.Error())
	}
	defer null.Close()
	command, files := c.Command, []uintptr{null.Fd(), log.Fd(), log.Fd()}
	if c.OnMachine {
		command, files = append(onMachine, command...), append(files, machineNetwork)
	}
	n.Lock()
	defer n.Unlock()
	pid, err := syscall.ForkExec(command[0], command, &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: files,
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		fail("Cannot start " + command[0] + ": " + err.Error())
	}
	n.running[pid] = c
}

func answers(where string) bool {
	network, address, _ := strings.Cut(where, ":")
	if network == "" {
		return true
	}
	connection, err := net.DialTimeout(network, address, time.Second)
	if err != nil {
		return false
	}
	connection.Close()
	return true
}

func (n *node) reap() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err != nil {
			time.Sleep(poll) // nothing runs yet
			continue
		}
		n.Lock()
		c, known := n.running[pid]
		delete(n.running, pid)
		n.Unlock()
		if !known {
			continue
		}
		fmt.Printf("%s exited with code %d, restarting it\n", c.Name, status.ExitStatus())
		time.AfterFunc(restartAfter, func() { n.start(c) })
	}
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(1)
}
