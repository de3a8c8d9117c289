// Package clientv3 drives a server by etcd's own Go client: the same tests on ours and on a real etcd.
//
// ETCD_ENDPOINT is where it listens; CONTROL_URL is the runner's: POST /restart kills the server (SIGKILL) and
// starts it again on its data. Each test works under a prefix of its own, so that they may share one server.
package clientv3

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const patience = 20 * time.Second

func endpoint(t *testing.T) string {
	t.Helper()
	address := os.Getenv("ETCD_ENDPOINT")
	if address == "" {
		t.Fatal("ETCD_ENDPOINT names no server")
	}
	return address
}

func connect(t *testing.T, address string) *clientv3.Client {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{address}, DialTimeout: 5 * time.Second})
	must(t, err)
	t.Cleanup(func() { client.Close() })
	return client
}

// setup gives a client, a prefix that nobody else uses, and a context that ends a test that hangs.
func setup(t *testing.T) (*clientv3.Client, string, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return connect(t, endpoint(t)), fmt.Sprintf("/%s/%d/", t.Name(), time.Now().UnixNano()), ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("never came true: %s", what)
}

func restartServer(t *testing.T) {
	t.Helper()
	answer, err := http.Post(os.Getenv("CONTROL_URL")+"/restart", "text/plain", nil)
	must(t, err)
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("the server was not restarted: %s", text)
	}
}

// next takes responses off a watch until one has events; it fails when the watch ends.
func next(t *testing.T, channel clientv3.WatchChan) clientv3.WatchResponse {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case response, open := <-channel:
			if !open {
				t.Fatal("the watch ended")
			}
			must(t, response.Err())
			if len(response.Events) > 0 {
				return response
			}
		case <-deadline:
			t.Fatal("no event came")
		}
	}
}

// collect reads a watch until it has so many events, one string each: what happened to which key at which revision.
func collect(t *testing.T, channel clientv3.WatchChan, count int) []string {
	t.Helper()
	var seen []string
	for len(seen) < count {
		for _, event := range next(t, channel).Events {
			seen = append(seen, fmt.Sprintf("%s %s@%d", event.Type, event.Kv.Key, event.Kv.ModRevision))
		}
	}
	return seen
}

// cutter forwards connections to the server until it is told to cut them all.
type cutter struct {
	listener net.Listener
	target   string
	lock     sync.Mutex
	open     []net.Conn
	refusing bool
}

func newCutter(t *testing.T) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	target := endpoint(t)
	if parsed, err := url.Parse(target); err == nil && parsed.Host != "" {
		target = parsed.Host
	}
	c := &cutter{listener: listener, target: target}
	t.Cleanup(func() { listener.Close(); c.cut() })
	go c.serve()
	return c
}

func (c *cutter) address() string { return "http://" + c.listener.Addr().String() }

func (c *cutter) serve() {
	for {
		near, err := c.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", c.target)
		c.lock.Lock()
		if err != nil || c.refusing {
			near.Close()
			if far != nil {
				far.Close()
			}
		} else {
			c.open = append(c.open, near, far)
			go func() { io.Copy(near, far); near.Close() }()
			go func() { io.Copy(far, near); far.Close() }()
		}
		c.lock.Unlock()
	}
}

func (c *cutter) cut() {
	c.lock.Lock()
	defer c.lock.Unlock()
	for _, connection := range c.open {
		connection.Close()
	}
	c.open = nil
}

func (c *cutter) refuse(refusing bool) {
	c.lock.Lock()
	c.refusing = refusing
	c.lock.Unlock()
	if refusing {
		c.cut()
	}
}

func hasText(err error, text string) bool { return err != nil && strings.Contains(err.Error(), text) }
