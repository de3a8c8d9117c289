// echoload calls one unary method as fast as its clients get answers, and prints calls a second and latencies.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"sort"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
)

// raw hands messages through as they are.
type raw struct{}

func (raw) Marshal(value any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*value.(*[]byte))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, value any) error {
	*value.(*[]byte) = data.Materialize()
	return nil
}

func (raw) Name() string { return "proto" }

func main() {
	address := flag.String("address", "127.0.0.1:2379", "of the server")
	method := flag.String("method", "/test.Echo/Echo", "to call")
	connections := flag.Int("connections", 20, "connections")
	clients := flag.Int("clients", 100, "callers, each with one call at a time")
	size := flag.Int("size", 0, "bytes of a message")
	seconds := flag.Float64("seconds", 5, "how long")
	deadline := flag.Bool("deadline", false, "give every call a deadline")
	flag.Parse()

	channels := make([]*grpc.ClientConn, *connections)
	for i := range channels {
		channel, err := grpc.NewClient(*address, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{})))
		if err != nil {
			log.Fatal(err)
		}
		channels[i] = channel
	}
	request := make([]byte, *size)
	end := time.Now().Add(time.Duration(*seconds * float64(time.Second)))
	latencies := make([][]time.Duration, *clients)
	var group sync.WaitGroup
	started := time.Now()
	for i := 0; i < *clients; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			channel := channels[i%*connections]
			for time.Now().Before(end) {
				ctx, cancel := context.Background(), func() {}
				if *deadline {
					ctx, cancel = context.WithTimeout(ctx, 5*time.Second)
				}
				var response []byte
				begun := time.Now()
				if err := channel.Invoke(ctx, *method, &request, &response); err != nil {
					log.Fatal(err)
				}
				latencies[i] = append(latencies[i], time.Since(begun))
				cancel()
			}
		}()
	}
	group.Wait()
	elapsed := time.Since(started).Seconds()
	var all []time.Duration
	for _, each := range latencies {
		all = append(all, each...)
	}
	sort.Slice(all, func(a, b int) bool { return all[a] < all[b] })
	fmt.Printf("calls=%d per_second=%.0f p50_us=%d p99_us=%d\n", len(all), float64(len(all))/elapsed,
		all[len(all)/2].Microseconds(), all[len(all)*99/100].Microseconds())
}
