import java.util.Properties;
import org.apache.zookeeper.server.quorum.QuorumPeerConfig;

/** Says of each configuration file that is named on the command line whether ZooKeeper's parser takes it, in one line. */
public final class ParseConfig {

    public static void main(String[] paths) {
        Properties fresh = (Properties) System.getProperties().clone();
        for (String path : paths) {
            System.setProperties((Properties) fresh.clone());
            QuorumPeerConfig.setStandaloneEnabled(true);
            QuorumPeerConfig.setReconfigEnabled(false);
            String verdict = "taken";
            try {
                new QuorumPeerConfig().parse(path);
            } catch (QuorumPeerConfig.ConfigException error) {
                Throwable cause = error.getCause() == null ? error : error.getCause();
                verdict = "refused: " + String.valueOf(cause.getMessage()).replace('\n', ' ');
            }
            System.out.println(path + "\t" + verdict);
        }
    }
}
