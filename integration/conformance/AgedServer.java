import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import org.apache.zookeeper.data.StatPersisted;
import org.apache.zookeeper.server.NIOServerCnxnFactory;
import org.apache.zookeeper.server.ZooKeeperServer;

/**
 * A ZooKeeper whose counters can be set, since no test can count to 2^31: "path cversion version aversion" a line, each
 * of which is answered by "done".
 */
public class AgedServer {
    public static void main(String[] args) throws Exception {
        File data = new File(args[0]);
        ZooKeeperServer server = new ZooKeeperServer(data, data, 2000);
        NIOServerCnxnFactory factory = new NIOServerCnxnFactory();
        factory.configure(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[1])), 100);
        factory.startup(server);
        System.out.println("ready");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            StatPersisted stat = server.getZKDatabase().getDataTree().getNode(words[0]).stat;
            stat.setCversion(Integer.parseInt(words[1]));
            stat.setVersion(Integer.parseInt(words[2]));
            stat.setAversion(Integer.parseInt(words[3]));
            System.out.println("done");
        }
        System.exit(0);
    }
}
