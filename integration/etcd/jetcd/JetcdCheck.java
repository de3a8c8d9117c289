import static java.nio.charset.StandardCharsets.UTF_8;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.Election;
import io.etcd.jetcd.KV;
import io.etcd.jetcd.Lease;
import io.etcd.jetcd.Lock;
import io.etcd.jetcd.Watch;
import io.etcd.jetcd.common.exception.CompactedException;
import io.etcd.jetcd.election.CampaignResponse;
import io.etcd.jetcd.election.LeaderResponse;
import io.etcd.jetcd.kv.GetResponse;
import io.etcd.jetcd.kv.PutResponse;
import io.etcd.jetcd.kv.TxnResponse;
import io.etcd.jetcd.lease.LeaseKeepAliveResponse;
import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.DeleteOption;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.LeaseOption;
import io.etcd.jetcd.options.PutOption;
import io.etcd.jetcd.options.WatchOption;
import io.etcd.jetcd.support.CloseableClient;
import io.etcd.jetcd.watch.WatchEvent;
import io.etcd.jetcd.watch.WatchResponse;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * jetcd against one server: `JetcdCheck endpoint controlUrl`. Each check says `ok name` or `FAILED name: why`; the exit
 * status is the number of those that failed. POST controlUrl/restart kills the server and starts it again.
 */
public final class JetcdCheck {
    private static final long PATIENCE_S = 20;
    private static int failures = 0;

    private final Client client;
    private final String control;

    private JetcdCheck(Client client, String control) {
        this.client = client;
        this.control = control;
    }

    private interface Check {
        void run() throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        try (Client client = Client.builder().endpoints(arguments[0]).build()) {
            JetcdCheck check = new JetcdCheck(client, arguments[1]);
            run("puts, gets and deletes", check::keys);
            run("ranges", check::ranges);
            run("transactions", check::transactions);
            run("leases", check::leases);
            run("watches", check::watches);
            run("watches over compaction", check::compaction);
            run("watches over a restart", check::restart);
            run("progress", check::progress);
            run("locks", check::locks);
            run("elections", check::elections);
            run("maintenance", check::maintenance);
            run("members", check::members);
            run("users and roles", () -> check.auth(arguments[0]));
        }
        System.exit(failures);
    }

    private static void run(String name, Check check) {
        try {
            check.run();
            System.out.println("ok " + name);
        } catch (Throwable error) {
            failures++;
            System.out.println("FAILED " + name + ": " + error);
            error.printStackTrace(System.out);
        }
    }

    private static ByteSequence bytes(String text) {
        return ByteSequence.from(text, UTF_8);
    }

    private static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(PATIENCE_S, TimeUnit.SECONDS);
    }

    private static void equal(Object got, Object want) {
        if (!got.equals(want)) {
            throw new AssertionError("got " + got + ", want " + want);
        }
    }

    private void keys() throws Exception {
        KV kv = client.getKVClient();
        PutResponse first = get(kv.put(bytes("k"), bytes("1")));
        PutResponse second = get(kv.put(bytes("k"), bytes("2"), PutOption.builder().withPrevKV().build()));
        equal(second.getPrevKv().getValue(), bytes("1"));
        equal(second.getHeader().getRevision(), first.getHeader().getRevision() + 1);
        GetResponse got = get(kv.get(bytes("k")));
        equal(got.getKvs().get(0).getVersion(), 2L);
        GetResponse old = get(kv.get(bytes("k"), GetOption.builder().withRevision(first.getHeader().getRevision()).build()));
        equal(old.getKvs().get(0).getValue(), bytes("1"));
        equal(get(kv.delete(bytes("k"))).getDeleted(), 1L);
        equal(get(kv.get(bytes("k"))).getCount(), 0L);
        equal(get(kv.put(bytes("nothing"), ByteSequence.EMPTY)).hasPrevKv(), false);
    }

    private void ranges() throws Exception {
        KV kv = client.getKVClient();
        for (int i = 0; i < 10; i++) {
            get(kv.put(bytes("r/" + (i * 7) % 10), bytes("" + i)));
        }
        GetResponse page = get(kv.get(bytes("r/"), GetOption.builder().isPrefix(true).withLimit(3)
            .withSortField(GetOption.SortTarget.MOD).withSortOrder(GetOption.SortOrder.DESCEND).build()));
        equal(page.getKvs().get(0).getValue(), bytes("9"));
        equal(page.isMore(), true);
        equal(page.getCount(), 10L);
        equal(get(kv.get(bytes("r/"), GetOption.builder().isPrefix(true).withCountOnly(true).build())).getCount(), 10L);
        equal(get(kv.delete(bytes("r/"), DeleteOption.builder().isPrefix(true).build())).getDeleted(), 10L);
    }

    private void transactions() throws Exception {
        KV kv = client.getKVClient();
        Cmp missing = new Cmp(bytes("t"), Cmp.Op.EQUAL, CmpTarget.version(0));
        Op put = Op.put(bytes("t"), bytes("1"), PutOption.DEFAULT);
        Op read = Op.get(bytes("t"), GetOption.DEFAULT);
        equal(get(kv.txn().If(missing).Then(put).Else(read).commit()).isSucceeded(), true);
        TxnResponse second = get(kv.txn().If(missing).Then(put).Else(read).commit());
        equal(second.isSucceeded(), false);
        equal(second.getGetResponses().get(0).getKvs().get(0).getValue(), bytes("1"));
        equal(get(kv.delete(bytes("t"))).getDeleted(), 1L);
    }

    private void leases() throws Exception {
        Lease leases = client.getLeaseClient();
        long id = get(leases.grant(2)).getID();
        get(client.getKVClient().put(bytes("l"), bytes("v"), PutOption.builder().withLeaseId(id).build()));
        equal(get(leases.timeToLive(id, LeaseOption.builder().withAttachedKeys().build())).getKeys().get(0), bytes("l"));
        CountDownLatch renewed = new CountDownLatch(4);
        StreamObserver<LeaseKeepAliveResponse> observer = new StreamObserver<>() {
            @Override
            public void onNext(LeaseKeepAliveResponse response) {
                renewed.countDown();
            }

            @Override
            public void onError(Throwable error) {
                System.out.println("keepalive: " + error);
            }

            @Override
            public void onCompleted() {
            }
        };
        try (CloseableClient alive = leases.keepAlive(id, observer)) {
            equal(renewed.await(PATIENCE_S, TimeUnit.SECONDS), true);
            equal(get(client.getKVClient().get(bytes("l"))).getCount(), 1L);
        }
        get(leases.revoke(id));
        equal(get(client.getKVClient().get(bytes("l"))).getCount(), 0L);
        equal(get(leases.timeToLive(id, LeaseOption.DEFAULT)).getTTL(), -1L);
    }

    private static final class Seen implements Watch.Listener {
        final BlockingQueue<WatchResponse> responses = new LinkedBlockingQueue<>();
        final BlockingQueue<Throwable> errors = new LinkedBlockingQueue<>();

        @Override
        public void onNext(WatchResponse response) {
            responses.add(response);
        }

        @Override
        public void onError(Throwable error) {
            errors.add(error);
        }

        @Override
        public void onCompleted() {
        }

        WatchEvent event() throws Exception {
            while (true) {
                WatchResponse response = responses.poll(PATIENCE_S, TimeUnit.SECONDS);
                if (response == null) {
                    throw new AssertionError("no event came; errors: " + errors);
                }
                if (!response.getEvents().isEmpty()) {
                    return response.getEvents().get(0);
                }
            }
        }
    }

    private void watches() throws Exception {
        KV kv = client.getKVClient();
        Seen seen = new Seen();
        long start = get(kv.put(bytes("w/a"), bytes("1"))).getHeader().getRevision();
        WatchOption option = WatchOption.builder().isPrefix(true).withRevision(start).withPrevKV(true).build();
        try (Watch.Watcher watcher = client.getWatchClient().watch(bytes("w/"), option, seen)) {
            equal(seen.event().getKeyValue().getValue(), bytes("1"));
            get(kv.put(bytes("w/a"), bytes("2")));
            WatchEvent second = seen.event();
            equal(second.getPrevKV().getValue(), bytes("1"));
            get(kv.delete(bytes("w/a")));
            WatchEvent third = seen.event();
            equal(third.getEventType(), WatchEvent.EventType.DELETE);
            equal(third.getPrevKV().getValue(), bytes("2"));
        }
        equal(seen.errors.isEmpty(), true);
    }

    private void compaction() throws Exception {
        KV kv = client.getKVClient();
        long first = get(kv.put(bytes("c"), bytes("1"))).getHeader().getRevision();
        long last = get(kv.put(bytes("c"), bytes("2"))).getHeader().getRevision();
        get(kv.compact(last));
        Seen seen = new Seen();
        try (Watch.Watcher watcher = client.getWatchClient()
            .watch(bytes("c"), WatchOption.builder().withRevision(first).build(), seen)) {
            Throwable error = seen.errors.poll(PATIENCE_S, TimeUnit.SECONDS);
            equal(error instanceof CompactedException, true);
            equal(((CompactedException) error).getCompactedRevision(), last);
        }
        try {
            get(kv.get(bytes("c"), GetOption.builder().withRevision(first).build()));
            throw new AssertionError("read below the compacted revision");
        } catch (ExecutionException error) {
            equal(error.getMessage().contains("mvcc: required revision has been compacted"), true);
        }
    }

    private void restart() throws Exception {
        KV kv = client.getKVClient();
        Seen seen = new Seen();
        try (Watch.Watcher watcher = client.getWatchClient().watch(bytes("restarted"), seen)) {
            get(kv.put(bytes("restarted"), bytes("1")));
            equal(seen.event().getKeyValue().getValue(), bytes("1"));
            HttpRequest request = HttpRequest.newBuilder(URI.create(control + "/restart"))
                .POST(HttpRequest.BodyPublishers.noBody()).build();
            HttpResponse<String> answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
            equal(answer.statusCode(), 200);
            for (int attempt = 0; ; attempt++) {
                try {
                    get(kv.put(bytes("restarted"), bytes("2")));
                    break;
                } catch (ExecutionException error) {
                    if (attempt == 20) {
                        throw error;
                    }
                    Thread.sleep(200);
                }
            }
            equal(seen.event().getKeyValue().getValue(), bytes("2"));
        }
    }

    private void progress() throws Exception {
        Seen seen = new Seen();
        WatchOption option = WatchOption.builder().withProgressNotify(true).build();
        try (Watch.Watcher watcher = client.getWatchClient().watch(bytes("p"), option, seen)) {
            long put = get(client.getKVClient().put(bytes("q"), bytes("v"))).getHeader().getRevision();
            for (int attempt = 0; attempt < 100; attempt++) {
                client.getWatchClient().requestProgress();
                WatchResponse response = seen.responses.poll(200, TimeUnit.MILLISECONDS);
                if (response != null && response.isProgressNotify() && response.getHeader().getRevision() >= put) {
                    return;
                }
            }
            throw new AssertionError("no progress was told");
        }
    }

    private void locks() throws Exception {
        Lock locks = client.getLockClient();
        long one = get(client.getLeaseClient().grant(30)).getID();
        long two = get(client.getLeaseClient().grant(30)).getID();
        ByteSequence held = get(locks.lock(bytes("lock"), one)).getKey();
        CompletableFuture<?> waiting = locks.lock(bytes("lock"), two);
        Thread.sleep(300);
        equal(waiting.isDone(), false);
        get(locks.unlock(held));
        get(waiting);
        get(client.getLeaseClient().revoke(two));
    }

    private void elections() throws Exception {
        Election elections = client.getElectionClient();
        long lease = get(client.getLeaseClient().grant(30)).getID();
        BlockingQueue<String> observed = new LinkedBlockingQueue<>();
        elections.observe(bytes("e"), new Election.Listener() {
            @Override
            public void onNext(LeaderResponse response) {
                observed.add(response.getKv().getValue().toString(UTF_8));
            }

            @Override
            public void onError(Throwable error) {
                observed.add(error.toString());
            }

            @Override
            public void onCompleted() {
            }
        });
        CampaignResponse won = get(elections.campaign(bytes("e"), lease, bytes("1")));
        equal(observed.poll(PATIENCE_S, TimeUnit.SECONDS), "1");
        get(elections.proclaim(won.getLeader(), bytes("2")));
        equal(observed.poll(PATIENCE_S, TimeUnit.SECONDS), "2");
        equal(get(elections.leader(bytes("e"))).getKv().getValue(), bytes("2"));
        get(elections.resign(won.getLeader()));
    }

    private void maintenance() throws Exception {
        var maintenance = client.getMaintenanceClient();
        equal(get(maintenance.listAlarms()).getAlarms().isEmpty(), true);
        URI endpoint = client.getClusterClient().listMember().get().getMembers().get(0).getClientURIs().get(0);
        equal(get(maintenance.statusMember(endpoint.toString())).getDbSize() > 0, true);
        get(maintenance.defragmentMember(endpoint.toString()));
        get(maintenance.hashKV(endpoint.toString(), 0));
        ByteArrayOutputStream snapshot = new ByteArrayOutputStream();
        equal(get(maintenance.snapshot(snapshot)) > 0, true);
        equal(snapshot.size() % 512, 32);
    }

    private void members() throws Exception {
        equal(get(client.getClusterClient().listMember()).getMembers().size(), 1);
    }

    private void auth(String endpoint) throws Exception {
        var auth = client.getAuthClient();
        get(auth.userAdd(bytes("root"), bytes("secret")));
        get(auth.roleAdd(bytes("root")));
        get(auth.userGrantRole(bytes("root"), bytes("root")));
        get(auth.userAdd(bytes("reader"), bytes("word")));
        get(auth.roleAdd(bytes("reads")));
        get(auth.roleGrantPermission(bytes("reads"), bytes("a"), bytes("b"), io.etcd.jetcd.auth.Permission.Type.READ));
        get(auth.userGrantRole(bytes("reader"), bytes("reads")));
        get(auth.authEnable());
        try (Client reader = Client.builder().endpoints(endpoint).user(bytes("reader")).password(bytes("word")).build();
            Client root = Client.builder().endpoints(endpoint).user(bytes("root")).password(bytes("secret")).build()) {
            get(root.getKVClient().put(bytes("a1"), bytes("v")));
            equal(get(reader.getKVClient().get(bytes("a1"))).getCount(), 1L);
            try {
                get(reader.getKVClient().put(bytes("a1"), bytes("w")));
                throw new AssertionError("a reader wrote");
            } catch (ExecutionException error) {
                equal(error.getMessage().contains("permission denied"), true);
            }
            get(root.getAuthClient().authDisable());
        }
    }
}
