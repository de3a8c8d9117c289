import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.zookeeper.data.Id;

/**
 * Plays histories of sets, one a line, and prints in which order the set gives back its items.
 * Steps are parted by tabs: "+item" adds, "-item" removes, "clone" goes on with a clone. A line that begins with "ids"
 * has a scheme and an id in turns, all of which are added to a set over a ConcurrentHashMap.
 */
public class JavaOrders {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        out.println(Runtime.version().feature());
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] steps = line.split("\t", -1);
            out.println(String.join("\t", steps[0].equals("ids") ? ids(steps) : strings(steps)));
        }
        out.flush();
    }

    @SuppressWarnings("unchecked")
    private static List<String> strings(String[] steps) {
        HashSet<String> set = new HashSet<>();
        for (String step : steps) {
            if (step.startsWith("+")) {
                set.add(step.substring(1));
            } else if (step.startsWith("-")) {
                set.remove(step.substring(1));
            } else {
                set = (HashSet<String>) set.clone();
            }
        }
        return new ArrayList<>(set);
    }

    private static List<String> ids(String[] steps) {
        Set<Id> set = Collections.newSetFromMap(new ConcurrentHashMap<>());
        for (int i = 1; i < steps.length; i += 2) {
            set.add(new Id(steps[i], steps[i + 1]));
        }
        List<String> items = new ArrayList<>();
        for (Id id : set) {
            items.add(id.getScheme() + ":" + id.getId());
        }
        return items;
    }
}
